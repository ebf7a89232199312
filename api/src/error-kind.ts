/** What the error catalogue says of a code. */
export interface ErrorKind {
  status: number;
  /** `{name}` is replaced by the parameter of that name. */
  message: string;
  remedy: string;
}
