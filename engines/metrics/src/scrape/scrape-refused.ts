/** Why a whole answer is refused, in words for its target's last error. */
export class ScrapeRefused extends Error {
  override name = "ScrapeRefused";
}
