/** The state of other rooms that features read in rollouts. Each declares its own (`declare module`). */
export interface FeatureState {}

/**
 * The parts of pins that a service passes over, because a rollout with them was reverted. Each feature declares its own
 * (`declare module`).
 */
export interface Rejected {}
