/** How long a test waits for one observation, in ms. Far longer than any takes beside a dozen busy processes. */
export const patienceMs = 120_000
/** How long a whole test or hook may take, in ms. */
export const testMs = 600_000
