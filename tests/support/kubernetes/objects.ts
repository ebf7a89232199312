import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Service } from "kubernetes-models/v1/Service";
import { z } from "zod";

/** What every object of Kubernetes has; `spec` and `status` belong to its kind. */
export const kubernetesObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.int().optional(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.record(z.string(), z.unknown()).optional(),
  status: z.record(z.string(), z.unknown()).optional(),
});
export type KubernetesObject = z.infer<typeof kubernetesObject>;

/** One thing that is wrong with an object: the causes of a refusal. */
export interface Cause {
  reason: string;
  message: string;
  field: string;
}

/** A kind that the double serves, under the path of the real API. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  kind: string;
  /** Against the schema that the kind's authors publish. */
  validate(object: KubernetesObject): void;
  /** What the real server checks beyond the schema. */
  rules?(object: KubernetesObject, before: KubernetesObject | undefined): Cause[];
}

type Model = new (data?: never) => { validate(): void };

function resource(names: Omit<Resource, "validate">, model: Model): Resource {
  return { ...names, validate: (object) => new model(structuredClone(object) as never).validate() };
}

export const RESOURCES: Resource[] = [
  resource(
    { group: "apps", version: "v1", plural: "deployments", kind: "Deployment", rules: rulesOfDeployments },
    Deployment,
  ),
  resource({ group: "", version: "v1", plural: "services", kind: "Service" }, Service),
  resource(
    {
      ...{ group: "autoscaling", version: "v2" },
      ...{ plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler" },
    },
    HorizontalPodAutoscaler,
  ),
  resource(
    { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes", kind: "HTTPRoute" },
    HTTPRoute,
  ),
];

/** "/apis/apps/v1" or, for the oldest group, which has no name, "/api/v1". */
export function basePath({ group, version }: Pick<Resource, "group" | "version">): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

export function apiVersionOf({ group, version }: Pick<Resource, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** What the validators of the published schemas throw. */
const validationErrors = z.object({
  errors: z.array(z.looseObject({ instancePath: z.string(), message: z.string().optional() })),
});

/** Everything that speaks against an object; empty when the real server would take it. */
export function causesAgainst(
  { validate, rules }: Resource,
  object: KubernetesObject,
  before: KubernetesObject | undefined,
): Cause[] {
  try {
    validate(object);
  } catch (error) {
    const { errors } = validationErrors.parse(error);
    return errors.map(({ instancePath, message = "is invalid" }) => {
      const field = instancePath.slice(1).replaceAll("/", ".");
      return { reason: "FieldValueInvalid", message, field };
    });
  }
  return rules?.(object, before) ?? [];
}

const deploymentSpec = z.looseObject({
  selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }),
  template: z.looseObject({
    metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }).default({ labels: {} }),
  }),
});

/** apps/v1: the selector finds the pods of its own template, and stays as it was made. */
function rulesOfDeployments(object: KubernetesObject, before: KubernetesObject | undefined): Cause[] {
  const { selector, template } = deploymentSpec.parse(object.spec);
  const wanted = Object.entries(selector.matchLabels);
  const causes: Cause[] = [];
  if (wanted.length === 0 || wanted.some(([key, value]) => template.metadata.labels[key] !== value))
    causes.push({
      reason: "FieldValueInvalid",
      message: "`selector` does not match template `labels`",
      field: "spec.template.metadata.labels",
    });
  const old = before && deploymentSpec.parse(before.spec).selector;
  if (old && JSON.stringify(old) !== JSON.stringify(selector))
    causes.push({ reason: "FieldValueInvalid", message: "field is immutable", field: "spec.selector" });
  return causes;
}
