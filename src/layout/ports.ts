/** Fixed ports of a machine that has joined. The agents of a laptop choose free ports. */
export const joinedPorts = { forward: 7481, metrics: 7482 }
