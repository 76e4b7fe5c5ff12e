/** User that the agent runs as. */
export const agentUser = 'tandem'
/** User that HAProxy runs as. No service's user can have this name: those names begin with `tandem-`. */
export const haproxyUser = 'tandem_haproxy'
/** Group whose members read the journal. */
export const journalGroup = 'systemd-journal'
