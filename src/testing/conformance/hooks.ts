import type { Suite } from './suite.ts'; export function hooks(_suite: Suite): void {}
