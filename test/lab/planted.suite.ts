import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { ValueSearch, type Found } from '../../src/lib/testing/valueSearch.ts'
import { web } from '../system/rollUnderLoad.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { Control, makeValues } from './planted.ts'
import { askApi, askHaproxy, journalOf, readings, searchFiles, seenBy, type FoundIn } from './plantedPlaces.ts'
import { bootMs } from './sharedPair.ts'

const { seed, count: asked } = randomRun('planted', { check: 50, soak: 200 })
/** The steps below need as many. */
const count = Math.max(asked, 50)
const random = seededRandom(seed)
/** A service names at most 100. */
const mostNamed = 80
/** Where values of this test may lie in the memory of a machine; other users cannot look there. */
const held = '/dev/shm/planted'
const openApi = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as Parameters<
  typeof readings
>[0] // written by the test of the contract
const readerToken = ['tandem', 'controller', 'token', 'create', '--role', 'reader', '--name', 'planted']
const corePattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim()

const isPiece = (text: string): boolean => /^[a-z0-9]{8}$/.test(text)

/** Takes some of them away. */
const take = (values: string[], many: number): string[] => values.splice(-many)

export const plantedSuite = (lend: () => Promise<Pair>): void => {
  describe(`${count} planted values of secrets`, () => {
    const values = makeValues(random, count)
    const control = new Control(random)
    const search = new ValueSearch([...values, ...control.values])
    const [rotated, wrong, edited, refused] = [take(values, 4), take(values, 1), take(values, 1), take(values, 3)]
    const services = Array.from({ length: Math.ceil(values.length / mostNamed) }, (_, at) => ({
      name: `planted${at}`,
      fields: Object.fromEntries(
        values.slice(at * mostNamed, (at + 1) * mostNamed).map((value, index) => [`f${index}`, value]),
      ),
    }))
    let pair: Pair
    let since = 0
    const machine = (name: string): LabMachine => pair.lab.machine(name)
    const all = (): LabMachine[] => [machine('a'), machine('b'), pair.controller]

    /** Fails if a planted value is there, or if the search does not see the control in each form. */
    const onlyControl = (found: readonly (Found | FoundIn)[], place: string): void => {
      expect(
        found.filter((one) => !control.has(one)),
        `${place} (TANDEM_SEED=${seed})`,
      ).toEqual([])
      expect(control.missed(found), `forms in which ${place} does not show the control`).toEqual([])
    }
    const onlyControlIn = (text: string, place: string): void => onlyControl(search.in(Buffer.from(text)), place)

    /** Writes files into the memory of a machine, so that no argument and no disk holds the values. */
    const hold = async (on: LabMachine, files: Record<string, string>): Promise<void> => {
      const write = `const fs = require('node:fs'); fs.mkdirSync('${held}', { recursive: true, mode: 0o700 })
        for (const [name, text] of Object.entries(JSON.parse(fs.readFileSync(0)))) fs.writeFileSync('${held}/' + name, text)`
      await on.must(['node', '-e', write], { input: JSON.stringify(files) })
    }
    const put = async (path: string, fields: Record<string, string>, ...flags: string[]) => {
      await hold(pair.controller, fields)
      const given = Object.keys(fields).map((name) => `${name}=@${held}/${name}`)
      const done = await pair.controller.run(['tandem', 'secrets', 'put', path, ...given, ...flags], {
        timeoutMs: 120_000,
      })
      await pair.controller.must(['rm', '-r', held])
      return done
    }
    const definition = (name: string, version: string, fields: Record<string, string>): string => {
      const named = Object.keys(fields).map((field, at) =>
        at % 2 === 0 ? `  ${field}: many#${field}` : `  ${field.toUpperCase()}: { from: many#${field}, as: env }`,
      )
      const more = [`routes: [{ host: ${name}.test }]`, 'secrets:', '  password: db#password', ...named].join('\n')
      return web({ name, version, more }).replace('env: {', 'env: { NEEDS: password,')
    }
    const mainPid = async (on: LabMachine, units: string): Promise<string> => {
      const listed = await on.must(['systemctl', 'list-units', '--plain', '--no-legend', units])
      return (await on.must(['systemctl', 'show', '-P', 'MainPID', listed.split(/\s/, 1)[0] ?? ''])).trim()
    }

    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster({ more: `recovery: [${await identityToRecipient(await generateIdentity())}]\n` })
      since = Date.now()
    }, bootMs)

    it('are used, rotated, rejected, edited, destroyed and backed up, while programs crash and dump core', async () => {
      for (const { name, fields } of services) {
        expect((await put(`${name}/many`, fields)).code).toBe(0)
        expect((await put(`${name}/db`, { password: control.values[0] ?? '' }, '--reason', control.line)).code).toBe(0)
        pair.controller.write(`/srv/services/${name}/control.txt`, control.line)
        await pair.roll(name, definition(name, '1', fields))
      }
      const [{ name, fields }] = services as [(typeof services)[number]]
      const asked = ['curl', '-sS', '--max-time', '5', '-H', `Host: ${name}.test`, `http://${machine('a').address}/env`]
      const known = JSON.parse(await machine('a').must(asked)) as Record<string, string>
      expect(known['F1']).toBe(fields['f1'])
      const turned = Object.fromEntries(rotated.map((value, at) => [`f${at}`, value]))
      expect((await put(`${name}/many`, turned, '--roll')).code).toBe(0)
      expect((await put(`${name}/db`, { password: `wrong ${wrong[0]}` }, '--roll')).code).toBe(1)
      await hold(pair.controller, { edited: edited[0] ?? '' })
      const editor = `EDITOR='cp ${held}/edited' tandem secrets edit ${name}/many --field f5`
      await pair.controller.must(['sh', '-c', editor])
      await pair.controller.must(['rm', '-r', held])
      await pair.controller.must(['sh', '-c', `tandem secrets get ${name}/many --format env >/dev/null`])
      const use = ['sh', '-c', 'cat $CREDENTIALS_DIRECTORY/f0 | sha256sum; env | sha256sum']
      await pair.controller.must(['tandem', 'run', name, '--', ...use])
      await pair.controller.must(['tandem', 'secrets', 'rekey'])
      await pair.controller.must(['tandem', 'secrets', 'destroy', `${name}/db`, '2'])
      await pair.controller.must(['tandem', 'secrets', 'backup', `/root/planted-${seed}.age`])

      await machine('a').must(['kill', '-ABRT', await mainPid(machine('a'), `tandem-${name}-*`)])
      await machine('b').must(['systemctl', 'kill', '--signal=ABRT', 'tandem-privileged', 'tandem-agent'])
      await pair.controller.run(['systemctl', 'kill', '--signal=ABRT', 'tandem-controller-privileged'])
      await pair.controller.must(['systemctl', 'kill', '--signal=ABRT', 'tandem-controller'])
      await pair.until('ready')
      // A program that may dump core does so, with the control in its memory.
      const dumps = 'ulimit -c unlimited; cd /var/tmp; held=$(cat); kill -ABRT $$'
      for (const one of all()) await one.run(['sh', '-c', dumps], { input: control.line })
    }, 240_000)

    it('are in no answer, event, error or output', async () => {
      const [{ name }] = services as [(typeof services)[number]]
      await pair.tandem('machine', 'note', 'a', control.line)
      const asked = [
        ...[['status'], ['events', '--after', '0'], ['secrets', 'list'], ['secrets', 'versions', `${name}/db`]].flatMap(
          (words) => [words, [...words, '--json']],
        ),
        ...[
          ['secrets', 'versions', `${name}/many`],
          ['secrets', 'who', `${name}/many`],
          ['secrets', 'status'],
        ],
        ...[['rollouts'], ['releases', name], ['config', 'show', name], ['logs', name, '--last', '1000']],
        ...[['map'], ['doctor', '--cluster'], ['machines'], ['firewall', 'show']],
      ]
      for (const words of asked) {
        const { out, err } = await pair.controller.run(['tandem', ...words], { timeoutMs: 120_000 })
        const found = search.in(Buffer.from(out + err))
        expect(
          found.filter((one) => !control.has(one)),
          `tandem ${words.join(' ')}`,
        ).toEqual([])
        if (words.includes(`${name}/db`)) expect(found.length, words.join(' ')).toBeGreaterThan(0)
        if (words[0] === 'status') onlyControl(found, 'the output of tandem status')
        if (words[0] === 'events') onlyControl(found, 'the events')
      }
    }, 120_000)

    it('are in no answer of the API, but for whoever may read them', async () => {
      const [{ name }] = services as [(typeof services)[number]]
      const { url, token } = await pair.context()
      const reader = (await pair.controller.must(readerToken)).trim()
      const { services: all_, controller } = await pair.status()
      const status = all_.find((one) => one.service === name)
      const rollouts = await pair.tandem<{ rollouts: { id: string }[] }>('rollouts', name)
      const given = {
        ...{ service: name, path: `${name}/many`, machine: 'a', from: 'b', to: name, at: String(controller.position) },
        ...{
          id: rollouts.rollouts[0]?.id ?? '',
          release: status?.release ?? '',
          instance: status?.instances[0]?.id ?? '',
        },
      }
      const paths = readings(openApi, given)
      expect(paths.length).toBeGreaterThan(30)
      for (const [role, bearer, encoding] of [
        ['operator', token, 'identity'],
        ['operator', token, 'gzip'],
        ['reader', reader, 'zstd'],
      ] as const) {
        const asked = paths.filter(({ path }) => role === 'reader' || !path.endsWith('/value'))
        const headers = { 'accept-encoding': encoding }
        const answers = await askApi(
          pair.controller,
          url,
          asked.map((one) => ({ ...one, method: 'GET', token: bearer, headers })),
        )
        for (const [at, { body }] of answers.entries())
          expect(
            search.in(body).filter((one) => !control.has(one)),
            `${role} ${asked[at]?.path}`,
          ).toEqual([])
        onlyControl(
          answers.flatMap(({ body }) => search.in(body)),
          `the answers to a ${role}`,
        )
        expect(answers.filter(({ status: code }) => code >= 500)).toEqual([])
      }
    }, 120_000)

    it('are in no error, also of a request that is wrong', async () => {
      const [{ name }] = services as [(typeof services)[number]]
      const { url, token } = await pair.context()
      const [plain = '', odd = '', third = ''] = refused.toSorted((one, two) => one.length - two.length)
      const encoded = Buffer.from(third).toString('base64')
      const json = { 'content-type': 'application/json' }
      const path = `/api/v1/secrets/${encodeURIComponent(`${name}/db`)}`
      const bodies = [
        `{"fields":{"password":"${plain}`,
        `{"fields":{"password":${plain}}}`,
        plain,
        JSON.stringify({ fields: { password: odd } }),
        JSON.stringify({ fields: odd }),
        JSON.stringify({ fields: { password: [encoded] } }),
        JSON.stringify({ fields: { password: encoded }, cas: 99 }),
        JSON.stringify({ fields: { password: encoded }, cas: encoded }),
        JSON.stringify({ fields: { password: encoded }, reason: { why: odd } }),
        JSON.stringify({ fields: { password: Buffer.from(third.repeat(3_000)).toString('base64') } }),
      ]
      const answers = await askApi(pair.controller, url, [
        ...bodies.map((body) => ({ method: 'POST', path, token, body, headers: json })),
        { method: 'POST', path, token, body: plain, headers: { 'content-type': 'text/plain' } },
        { method: 'POST', path, token: plain, body: '{}', headers: json },
        {
          method: 'POST',
          path: '/api/v1/secrets-unseal',
          token,
          body: JSON.stringify({ share: third }),
          headers: json,
        },
        {
          method: 'POST',
          path: `/api/v1/agent/secrets/${name}`,
          token,
          body: JSON.stringify({ held: [odd] }),
          headers: json,
        },
      ])
      expect(answers.map(({ status }) => status).filter((code) => code < 400 || code >= 500)).toEqual([])
      await hold(pair.controller, {
        ...{ bad: `- ${plain}\n${odd}: {`, alias: `f0: *${plain}\n`, tag: `f0: !${plain} x\n` },
        ...{ env: `A=1\n${plain}\n`, value: third },
      })
      const many = `${name}/many`
      const commands = [
        `tandem secrets put ${many} f0=@${held}/value --cas 99`,
        `tandem secrets get ${many} --version 99`,
        `tandem secrets get ${many} --field nosuch`,
        ...['bad', 'alias', 'tag'].map((file) => `EDITOR='cp ${held}/${file}' tandem secrets edit ${many}`),
        `tandem secrets import ${name} ${held}/env`,
        `tandem secrets unseal < ${held}/value`,
        ...control.line.split(/ (?!\$)/).map((word) => `tandem config set ${name} '${word}'`),
      ]
      const said = await Promise.all(
        commands.map(async (command) => {
          const { code, out, err } = await pair.controller.run(['sh', '-c', command])
          expect(code, command).not.toBe(0)
          return out + err
        }),
      )
      await pair.controller.must(['rm', '-r', held])
      const texts = [...answers.map(({ body }) => body.toString()), ...said]
      onlyControlIn(texts.join('\n'), 'errors')
      // Programs quote a few letters around a fault.
      const pieces = refused.flatMap((one) => Array.from(one, (_, at) => one.slice(at, at + 8))).filter(isPiece)
      expect(texts.filter((text) => pieces.some((piece) => text.includes(piece)))).toEqual([])
    }, 120_000)

    it('are in no file and no journal of a machine', async () => {
      for (const one of all()) {
        one.write('/var/tmp/control', control.line)
        await hold(one, { control: control.line })
        const { gz, zst } = control.packed
        await one.must(['sh', '-c', 'cat >/var/tmp/control.gz'], { input: gz })
        await one.must(['sh', '-c', 'cat >/var/tmp/control.zst'], { input: zst })
        // systemd compresses what is so long.
        await one.must(['systemd-cat', '-t', 'control'], {
          input: `${control.line}\n${control.line}${' x'.repeat(600)}\n`,
        })
        await one.must(['journalctl', '--sync'])
      }
      await pair.controller.must(['systemctl', 'kill', '--signal=KILL', 'tandem-controller'])
      await pair.controller.must(['systemctl', 'stop', 'tandem-controller'])
      try {
        for (const one of all()) {
          const found = searchFiles(search, one.disk, since)
          onlyControl(found, `the disk of ${one.name}`)
          const at = (part: string) => found.filter(({ path }) => path.startsWith(part))
          onlyControl(at('/var/tmp/control'), `a file on ${one.name}`)
          expect(at('/var/tmp/control.').map(({ path, form }) => [path, form])).toEqual(
            expect.arrayContaining([
              ['/var/tmp/control.gz', 'compressed'],
              ['/var/tmp/control.zst', 'compressed'],
            ]),
          )
          if (!corePattern.startsWith('|')) onlyControl(at('/var/tmp/core'), `a core on ${one.name}`)
          onlyControl(at('/var/log/journal'), `the files of the journal of ${one.name}`)
          onlyControl(
            at(one === pair.controller ? '/var/lib/tandem-controller/releases' : '/var/lib/tandem/'),
            `the releases on ${one.name}`,
          )
          const memory = ['/run', '/tmp', '/dev/shm'].flatMap((part) => {
            const folder = `/proc/${one.leader}/root${part}`
            return searchFiles(search, folder, 0, [`${folder}/credentials`])
          })
          onlyControl(memory, `the memory file systems of ${one.name}`)
          onlyControlIn(await journalOf(one, since), `the journal of ${one.name}`)
          onlyControlIn(one.console() + control.line, `the console of ${one.name}`)
        }
      } finally {
        await pair.controller.must(['systemctl', 'start', 'tandem-controller'])
      }
      await pair.until('ready')
      for (const one of all()) await one.must(['sh', '-c', `rm -rf ${held} /var/tmp/control* /var/tmp/core*`])
    }, 240_000)

    it('are in no process, unit or memory that another user sees, nor in HAProxy', async () => {
      for (const one of [machine('a'), machine('b')]) {
        await one.must(['systemd-run', '--unit=control', '--uid=nobody', 'sh', '-c', 'sleep 600; :', control.line])
        for (const user of ['nobody', 'tandem', 'tandem_haproxy'])
          onlyControlIn(await seenBy(one, user), `what ${user} sees on ${one.name}`)
        await one.must(['systemctl', 'stop', 'control'])

        const maps = await askHaproxy(one, ['@1 show map'])
        const [file] = /\S+stopped\S*/.exec(maps) ?? []
        expect(file, maps).toBeDefined()
        const said = control.line.replaceAll('\\', '\\\\').replaceAll(' ', '\\ ')
        const map = (file ?? '').replace(/[()]/g, '')
        const shown = [
          'info',
          'stat',
          'errors',
          'env',
          'sess all',
          'map',
          'acl',
          'servers state',
          'pools',
          'startup-logs',
        ]
        const answers = await askHaproxy(one, [
          `@1 add map ${map} control ${said}`,
          ...[...shown, `map ${map}`, 'ssl cert', 'fd', 'activity', 'table', 'cli sockets'].map(
            (what) => `@1 show ${what}`,
          ),
          'show proc',
          `@1 del map ${map} control`,
        ])
        onlyControlIn(answers, `what HAProxy tells on ${one.name}`)
      }
    }, 120_000)
  })
}
