/** Who asks, for the audit row. */
export interface Origin {
  actor: { type: string; id: string; name: string };
  requestId: string | null;
  address: string | null;
}
