/**
 * Abilities of an agent that the first version did not have. A controller refuses a change that a machine cannot carry
 * out, instead of losing part of it.
 *
 *   local-routes   routes that listen on a loopback address alone (`localRoutes` in the desired state)
 */
export const abilities = ['local-routes'] as const
