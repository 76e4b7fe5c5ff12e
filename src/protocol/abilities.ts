/**
 * What an agent knows that the first version did not. A controller refuses what a machine cannot do rather than lose it.
 *
 *   local-routes   routes that listen on a loopback address alone (`localRoutes` in the desired state)
 */
export const abilities = ['local-routes'] as const
