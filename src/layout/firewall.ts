/** Makes the firewall at boot, and when somebody else's rules were loaded. */
export const firewallUnit = 'tandem-firewall.service'
