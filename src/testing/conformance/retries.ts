import type { Suite } from './suite.ts'; export function retries(_suite: Suite): void {}
