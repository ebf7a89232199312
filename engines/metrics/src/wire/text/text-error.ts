/** Why an exposition was refused: `line` counts from 1. */
export class TextError extends Error {
  override name = "TextError";
  readonly line: number;

  constructor(line: number, reason: string) {
    super(`line ${line}: ${reason}`);
    this.line = line;
  }
}
