import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { jailShape } from '../definitions/jailShape.ts'
import { schemaOf } from '../definitions/keptSchema.ts'
import type { KeptGroup } from '../definitions/shapes/kept.ts'
import type { Jail } from '../definitions/definition.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { permitsFile } from '../layout/folders.ts'

const mostBytes = 256 * 1024
/** A process with these capabilities can do nothing more than bind a port below 1024. */
const harmless = ['CAP_NET_BIND_SERVICE']

const { user, capabilities, devices } = jailShape.kept.keys
const permitsSchema = z.record(
  z.string(),
  // The same keys of the same shape.
  schemaOf({ kind: 'group', keys: { user, capabilities, devices } } as KeptGroup) as z.ZodType<
    Pick<Jail, 'user' | 'capabilities' | 'devices'>
  >,
)

/**
 * Refuses settings that could lead to root or to another user of the machine: `user`, `devices`, and capabilities that
 * are not harmless, unless the file allows exactly that value to this service. The other settings of `jail` only let an
 * unprivileged user do what unprivileged users can do.
 */
export async function refuseJail(service: string, jail: Jail | undefined, file = permitsFile): Promise<void> {
  const wanted = {
    ...(jail?.user === undefined ? {} : { user: [jail.user] }),
    capabilities: (jail?.capabilities ?? []).filter((one) => !harmless.includes(one)),
    devices: jail?.devices ?? [],
  }
  if (Object.values(wanted).every((values) => values.length === 0)) return
  const allowed = (await permits(file))[service] ?? {}
  for (const [key, values] of Object.entries(wanted)) {
    const may: readonly string[] = [allowed[key as keyof typeof allowed] ?? []].flat() // the keys of `wanted` are those
    const refused = values.find((value) => !may.includes(value))
    if (refused !== undefined) throw notAllowed(service, key, refused, file)
  }
}

async function permits(file: string): Promise<z.infer<typeof permitsSchema>> {
  if (!existsSync(file)) return {}
  const { uid, mode, size } = lstatSync(file)
  if (uid !== 0 || (mode & 0o022) !== 0 || size > mostBytes || (mode & 0o170000) !== 0o100000) {
    throw new OperatorError('E_JAIL', `${file} must be a regular file that only root can write`, {
      subject: file,
      next: `chown root:root ${file} && chmod 644 ${file}`,
    })
  }
  const { parse } = await import('yaml') // few machines have such a file
  try {
    return permitsSchema.parse(parse(readFileSync(file, 'utf8')) ?? {})
  } catch (cause) {
    const next = 'see docs/machines.md for the format of the file'
    throw new OperatorError('E_JAIL', `the privileged helper cannot parse ${file}`, { subject: file, next, cause })
  }
}

function notAllowed(service: string, key: string, value: string, file: string): OperatorError {
  const line = `${service}: { ${key}: ${key === 'user' ? value : `[${value}]`} }`
  return new OperatorError('E_JAIL', `\`jail: ${key}: ${value}\` is not allowed for ${service} on this machine`, {
    subject: service,
    next: `if you trust the service with that, add this line as root to ${file}:   ${line}`,
  })
}
