import type { CheckupArea, Finding } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import type { HaproxyState, OwnConfiguration } from './machineFacts.ts'

export function judgeHaproxy(state: HaproxyState): Finding[] {
  const { unit, path, silent, shapeOnDisk, shapeRunning, failedReloads, files } = state
  const found = judgeFile('haproxy', state)
  if (silent !== null) {
    found.push(
      wrong('haproxy', `HAProxy does not answer: ${silent}`, `systemctl status ${unit}; systemctl restart ${unit}`),
    )
    return found
  }
  if (found.length === 0 && shapeOnDisk !== shapeRunning) {
    const what = `HAProxy runs with another configuration than ${path}`
    found.push(wrong('haproxy', what, `systemctl reload ${unit}; tandem doctor`))
  }
  if (failedReloads > 0) {
    const what = `${failedReloads} consecutive reloads of HAProxy failed: HAProxy still runs with its former configuration`
    found.push(wrong('haproxy', what, `journalctl -u ${unit}`))
  }
  if (files && files.given < files.needed) {
    const what = `HAProxy may open ${files.given} files, and needs ${files.needed} for all its connections: it refuses connections earlier (docs/operations.md, Open files of HAProxy)`
    found.push(
      wrong(
        'haproxy',
        what,
        `find the limit with: systemctl show -p LimitNOFILE ${unit}; sysctl fs.nr_open. Then: systemctl restart ${unit}`,
      ),
    )
  }
  return found
}

export function judgeFile(area: CheckupArea, { path, unit, file, refusal }: OwnConfiguration): Finding[] {
  const rewritten = 'systemctl restart tandem-agent.service   writes the file again (services continue)'
  const refused = refusal === null ? [] : [wrong(area, `the check of ${path} failed: ${refusal}`, rewritten)]
  switch (file) {
    case 'absent':
      return [wrong(area, `${path} does not exist: ${unit} cannot restart`, rewritten)]
    case 'changed':
      return [
        wrong(area, `${path} was changed by hand: the next change of routes overwrites the file`, rewritten),
        ...refused,
      ]
    case 'none':
      return [unchecked(area, `${path} has no seal that shows whether the file was changed`), ...refused]
    case 'whole':
      return refused
  }
}
