import { AsyncProvider, Memory } from '../../providers/async/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';

providerConformance({
  name: 'async',
  async create() {
    // The Redrives of a test share their jobs as processes share a database.
    return { connection: { provider: AsyncProvider, properties: { memory: new Memory() } }, dispose: async () => {} };
  },
});
