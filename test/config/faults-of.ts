import { resolveConfig } from '../../src/config/resolve.ts';
import { RedriveError } from '../../src/errors.ts';

/** The CONFIG_INVALID that a config is refused with; throws where it is accepted, or fails otherwise. */
export function refusalOf(config: unknown, env: Record<string, string> = {}): RedriveError {
  try {
    resolveConfig(config, env);
  } catch (error) {
    if (error instanceof RedriveError && error.code === 'CONFIG_INVALID') return error;
    throw error;
  }
  throw new Error('was accepted');
}

export function faultsOf(config: unknown, env?: Record<string, string>): readonly string[] {
  return refusalOf(config, env).faults;
}
