export const hostsPath = '/etc/hosts'
