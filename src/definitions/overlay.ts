import type { Definition } from './definition.ts'

/** The definition for one cluster: with its overlay applied, and without overlays. */
export function forCluster(definition: Definition, clusterName: string): Definition {
  const { environments } = definition
  const overlay = Object.hasOwn(environments, clusterName) ? environments[clusterName] : undefined
  return {
    ...definition,
    env: { ...definition.env, ...overlay?.env },
    limits: { ...definition.limits, ...overlay?.limits },
    routes: overlay?.routes ?? definition.routes,
    machines: overlay?.machines ?? definition.machines,
    instances: overlay?.instances ?? definition.instances,
    environments: {},
  }
}
