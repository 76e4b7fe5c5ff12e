import { expect } from 'vitest'
import { agentParts, controllerParts, digestOf, type Installation } from '../../src/parts/parts.ts'
import type { LabMachine } from './labMachine.ts'
import { data } from './upgradedPair.ts'

/** Checks that the machine has exactly the units of this checkout, and that they are recorded. */
export async function expectPresentParts(machine: LabMachine): Promise<void> {
  const kind = machine.name === 'controller' ? 'controller' : 'agent'
  const { units } = await (kind === 'controller' ? controllerWanted(machine) : agentWanted(machine))
  for (const { name, text } of units)
    await expect.poll(() => machine.must(['cat', `/etc/systemd/system/${name}`])).toBe(text)
  const folder = kind === 'controller' ? `${data}-controller` : data
  const recorded = async (): Promise<string> =>
    (JSON.parse(await machine.must(['cat', `${folder}/program/parts.json`])) as { digest: string }).digest
  await expect.poll(recorded).toBe(digestOf(kind))
  const reload = ['systemctl', 'show', '-p', 'NeedDaemonReload', '--value', 'tandem-*']
  // Between the new text of a unit and systemd's reload there is a moment.
  await expect.poll(() => machine.must(reload)).not.toMatch('yes')
}

async function commandOf(machine: LabMachine, unit: string): Promise<string[]> {
  const text = await machine.must(['cat', `/etc/systemd/system/${unit}`])
  return (/^ExecStart=(.*)$/m.exec(text)?.[1] ?? '').split(' ')
}

async function agentWanted(machine: LabMachine): Promise<Installation> {
  const [agent, helper] = [
    await commandOf(machine, 'tandem-agent.service'),
    await commandOf(machine, 'tandem-privileged.service'),
  ]
  expect(agent[0]).toBe('/usr/lib/tandem/bin/node')
  const command = (unit: string): string[] => (unit === 'tandem-agent.service' ? agent : helper)
  return agentParts({ data, name: machine.name, command, groups: ['systemd-journal', 'tandem_haproxy'] })
}

async function controllerWanted(machine: LabMachine): Promise<Installation> {
  const [controller, helper] = [
    await commandOf(machine, 'tandem-controller.service'),
    await commandOf(machine, 'tandem-controller-privileged.service'),
  ]
  const command = (unit: string): string[] => (unit === 'tandem-controller.service' ? controller : helper)
  return controllerParts({ data: `${data}-controller`, name: 'lab', command }, [])
}
