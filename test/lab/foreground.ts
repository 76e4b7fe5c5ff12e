import { once } from 'node:events'
import { openLab } from './lab.ts'
import { whyNoLab } from './requirements.ts'

/** A three-machine cluster to try things on, until Ctrl-C. */
const why = whyNoLab()
if (why) {
  console.error(why)
  process.exit(1)
}
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')])
console.log('Booting three machines (the first time ever takes about 30 s more: their system is installed once) …')
const lab = await openLab({ machines: ['controller', 'a', 'b'] })
try {
  for (const { name, address, leader } of lab.machines) {
    console.log(`  ${name.padEnd(12)} ${address.padEnd(12)} sudo nsenter -t ${leader} -a --wdns=/root bash`)
  }
  const space = `/run/netns/${lab.network.namespaceOf('client')}`
  console.log(`  ${'client'.padEnd(12)} ${lab.client.address.padEnd(12)} sudo nsenter --net=${space} bash`)
  console.log(
    'Each machine has systemd as PID 1, HAProxy, Node and `tandem`. Ctrl-C powers all off and removes everything.',
  )
  await interrupted
  console.log('Removing …')
} finally {
  await lab.close()
}
