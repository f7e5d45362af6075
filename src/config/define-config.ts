import type { RedriveConfig } from './redrive-config.ts';

/**
 * Types the default export of a config file: the config, or a function that returns it. Returns its argument and checks nothing.
 *
 * @example
 * export default defineConfig({ connections: { default: { provider: DatabaseProvider } }, jobs: [SendWelcomeEmail] });
 */
export function defineConfig(config: RedriveConfig): RedriveConfig;
export function defineConfig<C extends RedriveConfig | Promise<RedriveConfig>>(config: () => C): () => C;
export function defineConfig(config: unknown): unknown {
  return config;
}
