/** User that the agent runs as. */
export const agentUser = 'tandem'
/** User that HAProxy runs as. No service's user can have this name, or the next one: those names begin with `tandem-`. */
export const haproxyUser = 'tandem_haproxy'
/** User that the controller runs as. */
export const controllerUser = 'tandem_controller'
/** Group whose members read the journal. */
export const journalGroup = 'systemd-journal'
/** The home of users that Tandem makes: none of them has one. */
export const noHome = '/nonexistent'
