import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { removeTree } from '../../../releases/removeTree.ts'
import { dataRoots } from '../../../layout/folders.ts'
import { openDataFolders } from '../dataFolders.ts'
import { serviceUsers, withUsers } from './serviceUsers.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'
import { userName } from './unitName.ts'

const run = (...argv: string[]): string => execFileSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' }).trim()
const writes = (name: string): string[] => [
  '/bin/sh',
  '-c',
  `while :; do echo x >>"$TANDEM_DATA/${name}" && echo "wrote as $(id -u)" || echo "could not write"; sleep 0.1; done`,
]

describe.skipIf(!insideMachine)(`users of services${whyOutside}`, () => {
  let lab: SystemdLab
  beforeEach(async () => {
    lab = await openSystemdLab()
  })
  afterEach(() => lab.close())

  it('keep the number that owns the data, while instances from before run, after them, and on the way back', async () => {
    const fresh = lab.spec(writes('new'))
    const { service } = fresh
    const [user, unit] = [userName(service), `tandem-${service}-old.service`]
    // A unit as an older version wrote it: systemd makes the user.
    const file = `/run/systemd/system/${unit}`
    const old = `[Service]\nDynamicUser=yes\nUser=${user}\nStateDirectory=tandem-data/${service}\nProtectSystem=strict\nEnvironment=TANDEM_DATA=/var/lib/tandem-data/${service}\n`
    writeFileSync(file, `${old}ExecStart=/bin/sh -c '${writes('old')[2]?.replaceAll('$', '$$$$')}'\n`)
    const lastOfOld = (): string =>
      spawnSync('journalctl', ['-u', unit, '-o', 'cat', '-n', '1'], { encoding: 'utf8' }).stdout
    run('systemctl', 'daemon-reload')
    run('systemctl', 'start', unit)
    const data = `/var/lib/private/tandem-data/${service}`
    await expect.poll(lastOfOld).toMatch(/^wrote as/)
    const number = statSync(data).uid
    expect(readFileSync('/etc/passwd', 'utf8')).not.toContain(user)

    const wrote = `wrote as ${number}`
    await lab.driver.start(fresh)
    expect(await lab.printed(fresh, /write|wrote/)).toBe(wrote)
    expect(run('getent', 'passwd', user)).toContain(`:${number}:${number}:Tandem service ${service}:`)
    run('journalctl', '--rotate', '--vacuum-time=1s')
    await expect.poll(lastOfOld).toBe(`${wrote}\n`)

    run('systemctl', 'stop', unit)
    await lab.driver.stop(fresh.id)
    run('systemctl', 'start', unit)
    await expect.poll(lastOfOld).toBe(`${wrote}\n`)
    const again = lab.spec(writes('again'), { service, id: `${service}-2` })
    await lab.driver.start(again)
    expect(await lab.printed(again, /write|wrote/)).toBe(wrote)
    run('systemctl', 'stop', unit)
    rmSync(file)
  })

  it('are there before the first start, differ, and go with the data', async () => {
    const users = serviceUsers()
    const all = [lab.spec(writes('a')), lab.spec(writes('b'))]
    await Promise.all(all.map((one) => lab.driver.start(one)))
    const numbers = all.map(({ service }) => run('id', '-u', userName(service)))
    expect(new Set(numbers).size).toBe(2)
    expect(await users.all()).toEqual(expect.arrayContaining(all.map(({ service }) => service)))
    await Promise.all(all.map(({ id }) => lab.driver.stop(id)))
    const folders = withUsers(openDataFolders(dataRoots, removeTree), users)
    for (const { service } of all) await folders.remove(service)
    expect(readFileSync('/etc/passwd', 'utf8')).not.toMatch(
      new RegExp(all.map(({ service }) => userName(service)).join('|')),
    )
    expect(readFileSync('/etc/group', 'utf8')).not.toMatch(
      new RegExp(all.map(({ service }) => userName(service)).join('|')),
    )
  })

  it('of the administrator stay', async () => {
    const service = `mine-${process.pid}`
    run('useradd', '--system', userName(service))
    const users = serviceUsers()
    expect(await users.ensure(service)).toBe(Number(run('id', '-u', userName(service))))
    await users.remove(service)
    expect(run('getent', 'passwd', userName(service))).toContain(userName(service))
    run('userdel', userName(service))
  })
})
