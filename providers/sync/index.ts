export { Memory } from '../memory/memory.ts';
export { SyncProvider } from './sync-provider.ts';
