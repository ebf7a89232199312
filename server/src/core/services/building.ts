import type { Tx } from "../../kernel/database/index.ts";
import type { BuildResult, Intake, NewRelease, Source } from "./intake.ts";
import type { RunOne } from "./one-at-a-time.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { RecordRelease } from "./registration.ts";
import type { ReleaseFiles } from "./release-files.ts";
import type { Signatures } from "./signatures.ts";
import type { ReleaseRow } from "./store.ts";

export interface BuildingDependencies {
  files: Pick<ReleaseFiles, "find">;
  signatures: Pick<Signatures, "mustStand">;
  intake: Intake;
  runOne: RunOne;
  record: RecordRelease;
}

/** Both ends of a build: the source that goes in, and the release that comes out. */
export function createBuilding({ files, signatures, intake, runOne, record }: BuildingDependencies) {
  return {
    /**
     * Hands out the files that a release is to be built of, for as long as `use` takes. Nothing is registered
     * meanwhile, also not by `use`.
     */
    async withSource<Result>(input: NewRelease, use: (source: Source) => Promise<Result>): Promise<Result> {
      const { signature = null } = input;
      return runOne(() =>
        intake.withSource(input, (source) => {
          signatures.mustStand({ digest: source.digest, source_digest: null, signature });
          return use(source);
        }),
      );
    },

    /** Makes a release of what a build has left, and writes `within` in the same transaction. */
    async registerBuilt(
      { env, signature, ...left }: BuildResult & Pick<NewRelease, "env" | "signature">,
      origin: Origin,
      within: (tx: Tx, release: ReleaseRow) => Promise<void>,
    ): Promise<ReleaseRow> {
      const { file } = left;
      return runOne(async () =>
        record({ ...(await intake.takeBuilt(left)), env, file, signature, within }, origin),
      );
    },

    /** Whether files of this digest are there, and what they were. */
    isStored: async (digest: string): Promise<boolean> => (await files.find(digest)) !== null,
  };
}
