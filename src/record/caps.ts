const KiB = 1024;

/** How much of a thrown value is kept. Bytes are of UTF-8. */
export const caps = {
  messageBytes: 64 * KiB,
  stackBytes: 256 * KiB,
  fieldBytes: 64 * KiB,
  exceptionBytes: 1024 * KiB,
  causes: 50,
  errors: 100,
} as const;
