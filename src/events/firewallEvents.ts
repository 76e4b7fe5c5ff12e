export interface FirewallEvents {
  /**
   * The first connection of this caller to this service that the firewall of a machine refused, or, where it only
   * observes, would have refused. `from`: a service, or `user NAME`.
   */
  ConnectionRefused: { from: string; to: string; machine: string; port: number; enforced: boolean }
}

declare module './event.ts' {
  interface EventData extends FirewallEvents {}
}
