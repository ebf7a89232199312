import type { Clock } from "../../kernel/clock.ts";
import type { Issued } from "./authority.ts";
import { coversHost, isKeyOf, readCertificate } from "./domain/certificate.ts";
import type { PrivateFiles } from "./private-files.ts";
import type { CertificateRow } from "./store.ts";

/** A certificate as the data plane gets it. */
export interface Held extends Issued {
  hosts: string[];
}

export interface IssuedCertificatesDependencies {
  clock: Clock;
  keys: PrivateFiles;
}

/**
 * What authorities have issued: the chain stands in the database, its key in a file named after its serial.
 */
export function createIssuedCertificates({ clock, keys }: IssuedCertificatesDependencies) {
  const fileOf = (host: string, serial: string): string => `${host}.${serial}.key`;

  return {
    /** Throws when what the authority sent is not what was ordered. */
    async keep(host: string, { chain, key }: Issued) {
      const facts = readCertificate(chain);
      if (!coversHost(facts.names, host) || !isKeyOf(chain, key))
        throw new Error("the authority sent a certificate for something else");
      await keys.write(fileOf(host, facts.serial), key);
      return facts;
    },
    /** Forgets the key of a certificate that another one has replaced. */
    async forget(host: string, chain: string): Promise<void> {
      await keys.remove(fileOf(host, readCertificate(chain).serial));
    },
    /**
     * Null when the row has none yet, when it has expired, or when its key is gone: then a new one is needed.
     */
    async held({ host, chain, not_after }: CertificateRow): Promise<Held | null> {
      if (chain === null || not_after === null || not_after <= clock.now()) return null;
      const key = await keys.read(fileOf(host, readCertificate(chain).serial));
      return key === null ? null : { hosts: [host], chain, key };
    },
  };
}
export type IssuedCertificates = ReturnType<typeof createIssuedCertificates>;
