import type { ServiceFile } from "@mainstay/api";
import type { IHTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import type { IService } from "kubernetes-models/v1/Service";
import type { ReleaseRow } from "../../../server/src/core/services/index.ts";
import type { Manifest } from "./cluster-client.ts";

const POD_PORT = 8080;
const SERVICE_PORT = 80;

/** One name per release: "shop-rel-0190…". Names are DNS labels, at most 63 long (RFC 1123). */
export function nameOf({ id, service }: Pick<ReleaseRow, "id" | "service">): string {
  return `${service.slice(0, 20)}-${id.replaceAll("_", "-")}`;
}

type Serving = ServiceFile["processes"][string];

/** The process that takes requests; the double carries no other to the cluster. */
function servingOf({ id, snapshot }: ReleaseRow): Serving {
  const process = Object.values(snapshot.processes).find(({ port }) => port !== undefined);
  if (!process) throw new Error(`release ${id} has no process with a port`);
  return process;
}

/** Everything of one release on a cluster, each of it under the release's own name. */
export function manifestsOf(release: ReleaseRow, image: string): Manifest[] {
  const name = nameOf(release);
  const labels = { "app.kubernetes.io/managed-by": "mainstay", "mainstay/release": release.id };
  const { instances } = servingOf(release);
  const deployment: IDeployment & Manifest = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    // No replicas: they are the autoscaler's, and applying this again must not take them back.
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podOf(release, image) },
    },
  };
  const service: IService & Manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels },
    spec: { selector: labels, ports: [{ port: SERVICE_PORT, targetPort: POD_PORT }] },
  };
  const autoscaler: IHorizontalPodAutoscaler & Manifest = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name, labels },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      minReplicas: instances,
      maxReplicas: instances * 4,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
        },
      ],
    },
  };
  return [deployment, service, autoscaler];
}

type PodSpec = NonNullable<NonNullable<IDeployment["spec"]>["template"]["spec"]>;

function podOf(release: ReleaseRow, image: string): PodSpec {
  const { snapshot } = release;
  const { command, health, stopTimeout } = servingOf(release);
  const env = { ...snapshot.env, PORT: String(POD_PORT), MAINSTAY_RELEASE: release.id };
  return {
    terminationGracePeriodSeconds: Math.ceil(stopTimeout / 1000),
    containers: [
      {
        name: "web",
        image,
        ...(command === undefined ? {} : { command: ["/bin/sh", "-c", command] }),
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        ports: [{ containerPort: POD_PORT }],
        readinessProbe: {
          httpGet: { path: health?.path ?? "/", port: POD_PORT },
          periodSeconds: Math.max(1, Math.ceil((health?.interval ?? 1000) / 1000)),
          // Three answers in a row, as everywhere else.
          successThreshold: 3,
        },
      },
    ],
  };
}

/** A share of the requests, in ten-thousandths. */
export interface Share {
  name: string;
  weight: number;
}

/** The route of a service: made here once; people may add to it, and only the shares are altered later. */
export function routeOf(release: ReleaseRow, gateway: string, shares: Share[]): IHTTPRoute & Manifest {
  const hosts = release.snapshot.routes.flatMap(({ host }) => (host === undefined ? [] : [host]));
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: release.service },
    spec: {
      parentRefs: [{ name: gateway }],
      ...(hosts.length > 0 ? { hostnames: hosts } : {}),
      rules: [{ backendRefs: backendsOf(shares) }],
    },
  };
}

export function backendsOf(shares: Share[]) {
  return shares.map(({ name, weight }) => ({ name, weight, port: SERVICE_PORT }));
}
