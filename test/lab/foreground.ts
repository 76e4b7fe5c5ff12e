import { once } from 'node:events'
import { Pair } from './pair.ts'
import { whyNoLab } from './requirements.ts'

/** Runs a three-machine cluster for experiments, until Ctrl-C. */
const why = whyNoLab()
if (why) {
  console.error(why)
  process.exit(1)
}
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')])
console.log('Booting three machines (the first run takes about 30 s longer, because it installs their system) …')
const pair = await Pair.open()
const { lab } = pair
try {
  console.log('A cluster: a controller, and two machines that have joined it. Enter them as root:')
  for (const { name, address, leader } of lab.machines) {
    console.log(`  ${name.padEnd(12)} ${address.padEnd(12)} sudo nsenter -t ${leader} -a --wdns=/root bash`)
  }
  const space = `/run/netns/${lab.network.namespaceOf('client')}`
  console.log(`  ${'client'.padEnd(12)} ${lab.client.address.padEnd(12)} sudo nsenter --net=${space} bash`)
  console.log(`On the controller:  tandem status   and, in a folder with a tandem.yaml,  tandem push
From the client:    curl ${pair.entries.join('   or   ')}   once something is pushed
Ctrl-C powers all off and removes everything.`)
  await interrupted
  console.log('Removing …')
} finally {
  await pair.close()
}
