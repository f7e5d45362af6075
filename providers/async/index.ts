export { Memory } from '../memory/memory.ts';
export { AsyncProvider } from './async-provider.ts';
