export { DatabaseProvider } from './database-provider.ts';
