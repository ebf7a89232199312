import path from "node:path";
import { createAcmeAuthority } from "./acme-authority.ts";
import { createCertificates, type Certificates, type CertificatesDependencies } from "./certificates.ts";
import { createFileCertificates } from "./file-certificates.ts";
import { createIssuedCertificates } from "./issued-certificates.ts";
import { createPrivateFiles } from "./private-files.ts";
import { createCertificatesStore } from "./store.ts";

type Parts = "store" | "issued" | "authority" | "files" | "owner";

export interface CertificatesRoomDependencies extends Omit<CertificatesDependencies, Parts> {
  dataDirectory: string;
}

/** The room as it runs: with the database, the data directory and the authority of the configuration. */
export function createCertificatesRoom(dependencies: CertificatesRoomDependencies): Certificates {
  const { db, clock, log, config, dataDirectory } = dependencies;
  const keys = createPrivateFiles(path.join(dataDirectory, "keys"));
  return createCertificates({
    ...dependencies,
    store: createCertificatesStore(db),
    issued: createIssuedCertificates({
      clock,
      keys: createPrivateFiles(path.join(dataDirectory, "certificates")),
    }),
    authority: createAcmeAuthority({ settings: config.acme, keys }),
    files: createFileCertificates({ pairs: config.proxy.tls.certificates, log }),
    owner: dataDirectory,
  });
}
