import { cutMiddle, jsonBytes } from './text.ts';

/** The least a text is given: enough for the marker that says what was cut. */
const leastBytes = 48;

/**
 * A number of JSON bytes from which everything that is kept is paid, so that work and result are bounded together:
 * who finds the budget spent stops reading on. A part is paid from its whole as well.
 */
export class JsonBudget {
  private bytesLeft: number;
  private hasCut = false;
  private readonly whole: JsonBudget | undefined;

  constructor(maxBytes: number, whole?: JsonBudget) {
    this.bytesLeft = maxBytes;
    this.whole = whole;
  }

  get left(): number {
    return this.bytesLeft;
  }

  /** True once something did not fit, in this budget or a part of it. */
  get cut(): boolean {
    return this.hasCut;
  }

  part(maxBytes: number): JsonBudget {
    return new JsonBudget(Math.min(maxBytes, this.bytesLeft), this);
  }

  spend(bytes: number): void {
    this.bytesLeft -= bytes;
    this.whole?.spend(bytes);
  }

  noteCut(): void {
    this.hasCut = true;
    this.whole?.noteCut();
  }

  /** Pays for as much of the text as fits, in `maxBytes` of UTF-8 and in what is left but for `reserve`, and gives it back. */
  text(raw: string, maxBytes: number, reserve = 0): string {
    const room = Math.max(leastBytes, this.bytesLeft - reserve);
    let fitted = cutMiddle(raw, Math.min(maxBytes, room - 2));
    let bytes = jsonBytes(fitted.text);
    if (bytes > room) {
      // Escapes made it longer. Cut to scale, or, where they crowd at the ends, to what fits if all is escapes (`\u0001`).
      fitted = cutMiddle(raw, Math.floor((room * 0.95 * Buffer.byteLength(fitted.text)) / bytes));
      bytes = jsonBytes(fitted.text);
      if (bytes > room) fitted = cutMiddle(raw, Math.floor(room / 6));
      bytes = jsonBytes(fitted.text);
    }
    if (fitted.cut) this.noteCut();
    this.spend(bytes);
    return fitted.text;
  }
}
