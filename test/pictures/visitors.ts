import { setTimeout as pause } from 'node:timers/promises'

// Requests to a pair at a light, steady rate, as a separate process on the lab's network: `node visitors.ts URL…`.
// Runs until it is killed.

const urls = process.argv.slice(2)
/** Between two requests to the same address. */
const everyMs = 250
const patienceMs = 3_000

for (let turn = 0; ; turn++) {
  const url = urls[turn % urls.length] ?? ''
  fetch(url, { signal: AbortSignal.timeout(patienceMs) }).then(
    (answer) => answer.text().catch(() => {}),
    () => {}, // a visitor tries again
  )
  await pause(everyMs / urls.length)
}
