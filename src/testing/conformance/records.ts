import type { Suite } from './suite.ts'; export function records(_suite: Suite): void {}
