import { noCapabilities, type Capabilities } from '../../src/provider/capabilities.ts';
import type { ProviderContext } from '../../src/provider/queue-provider.ts';
import { MemoryProvider } from '../memory/memory-provider.ts';
import type { MemoryProperties } from '../memory/properties.ts';
import { readProperties } from './properties.ts';

/**
 * Jobs in this process's memory, worked by its pools: for development, tests, and work that may be lost with the
 * process. All else is as with a database.
 */
export class AsyncProvider extends MemoryProvider {
  override readonly capabilities: Capabilities = Object.freeze({
    ...noCapabilities,
    multipleQueues: true,
    delay: true,
    priority: true,
    cancel: true,
    status: true,
    unique: true,
    durableStart: true,
    background: true,
  });

  protected override readProperties({ name, properties }: ProviderContext): MemoryProperties {
    return readProperties(name, properties);
  }
}
