import { certificateResource, page } from "@mainstay/api";
import { z } from "zod";
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { Certificates } from "./certificates.ts";

const hostParam = z.object({ host: z.string() });

export function addCertificatesRoutes(http: Http, certificates: Certificates): void {
  http.route({
    method: "GET",
    url: "/api/v1/certificates",
    permission: "certificates.read",
    summary: "Every host of a route, and the certificate that stands for it",
    response: page(certificateResource),
    handler: async () => ({ items: await certificates.list(), next: null }),
  });

  http.route({
    method: "GET",
    url: "/api/v1/certificates/:host",
    permission: "certificates.read",
    summary: "The certificate of one host",
    params: hostParam,
    response: certificateResource,
    handler: ({ params }) => certificates.show(params.host),
  });

  http.route({
    method: "POST",
    url: "/api/v1/certificates/:host/renew",
    permission: "certificates.write",
    summary: "Order a new certificate for a host now; its attempts tell how it went",
    params: hostParam,
    response: certificateResource,
    handler: ({ params, ...request }) => certificates.renew(params.host, originOf(request)),
  });

  http.route({
    method: "POST",
    url: "/api/v1/certificates/reload",
    permission: "certificates.write",
    summary: "Read the certificate files again, as is done by itself when they change",
    response: page(certificateResource),
    handler: async (request) => ({
      items: await certificates.reload(originOf(request)),
      next: null,
    }),
  });
}
