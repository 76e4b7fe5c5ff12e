import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { controllerData } from '../../layout/folders.ts'
import { known, needed, number, on, started, text, word } from '../routes/parameters.ts'

const path = known('secrets', word('PATH', 'SERVICE/NAME, or @GROUP/NAME for a secret of no service'))
const onePath = { kind: 'tuple', parameters: [path] } as const
const withService = {
  kind: 'tuple',
  parameters: [path, known('services', word('SERVICE', 'Name of a service'))],
} as const
const reason = text('TEXT', 'Why, for the event log')
const formats = ['table', 'json', 'yaml', 'env'] as const

const put = command({
  changes: true,
  brief: 'Store a secret, or new values of some of its fields',
  about:
    'A value is never an argument, which other users could see: FIELD=- reads it from standard input, byte for byte, FIELD=@FILE from a file,\n' +
    'and FIELD asks for it, without echo. Fields that you do not name keep their values. Makes a new version; running instances keep theirs until\n' +
    'their service restarts (--roll). If a service does not become ready with it, the restart is reverted, and the former version stays.',
  example:
    'tandem secrets put shop/db password\ntandem secrets put shop/tls key=@shop.key certificate=@shop.pem\npwgen 40 1 | tandem secrets put @shared/smtp password=- --roll --reason "left with Ida"',
  parameters: {
    flags: {
      replace: on('Drop the fields that you do not name'),
      cas: number('Refuse unless this version is current (0: unless there is none)'),
      roll: on('Restart the services that run with it, one after the other'),
      reason,
    },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: known('secrets', word('PATH FIELD', 'Path of the secret; then FIELD, FIELD=- or FIELD=@FILE')),
    },
  },
  load: async () => (await import('./put.ts')).putSecret,
})

const imported = command({
  changes: true,
  brief: 'Store the variables of /etc/tandem/env/SERVICE.env as one secret',
  about:
    'FILE is a copy of that file; name those of all machines. If they differ, nothing is stored, and the names that differ are shown.\n' +
    'Prints the lines with which the definition of the service names them.',
  example:
    'tandem secrets import shop a.env b.env   # after: ssh a cat /etc/tandem/env/shop.env > a.env, and the same for b',
  parameters: {
    flags: { replace: on('Replace SERVICE/env if it exists'), reason },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: known('services', word('SERVICE FILE', 'Name of the service; then copies of its file')),
    },
  },
  load: async () => (await import('./import.ts')).importSecrets,
})

const get = command({
  brief: 'Print the values of a secret',
  about: '--field prints one value byte for byte, for a pipe.',
  example: 'tandem secrets get shop/db\ntandem secrets get shop/tls --field key > shop.key',
  parameters: {
    flags: {
      field: text('FIELD', 'Only this field'),
      version: number('An earlier version (default: the current one)'),
      format: { kind: 'enum', values: formats, brief: 'Format of the values', default: 'table' },
    },
    positional: onePath,
  },
  load: async () => (await import('./get.ts')).getSecret,
})

const list = command({
  brief: 'List secrets, without their values',
  example: 'tandem secrets list\ntandem secrets list shop/',
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ ...known('secrets', word('PREFIX', 'Only paths that begin with this')), optional: true }],
    },
  },
  load: async () => (await import('./list.ts')).listSecrets,
})

const versions = command({
  brief: 'List the versions of a secret: who stored them, when and why',
  example: 'tandem secrets versions shop/db',
  parameters: { positional: onePath },
  load: async () => (await import('./list.ts')).listVersions,
})

const status = command({
  brief: 'Show whether secrets can be read, and are in a backup',
  example: 'tandem secrets status',
  parameters: {},
  load: async () => (await import('./status.ts')).secretsStatus,
})

const who = command({
  brief: 'Show which services may use a secret',
  example: 'tandem secrets who @shared/smtp',
  parameters: { positional: onePath },
  load: async () => (await import('./status.ts')).whoMay,
})

const edit = command({
  changes: true,
  brief: 'Change a secret in your editor ($VISUAL, $EDITOR, else vi)',
  about:
    'The editor gets a file in memory (/dev/shm), which is gone afterwards: the fields as YAML, or the bytes of one field.\n' +
    'Stores nothing if you change nothing, or if somebody else stored a version meanwhile.',
  example: 'tandem secrets edit shop/db\ntandem secrets edit shop/app --field config',
  parameters: { flags: { field: text('FIELD', 'Only the bytes of this field'), reason }, positional: onePath },
  load: async () => (await import('./edit.ts')).editSecret,
})

const rollback = command({
  changes: true,
  brief: 'Store an earlier version again, as the newest one',
  example: 'tandem secrets rollback shop/db\ntandem secrets rollback shop/db --version 3',
  parameters: {
    flags: { version: number('The version to store again (default: the one before)'), reason },
    positional: onePath,
  },
  load: async () => (await import('./change.ts')).rollbackSecret,
})

const deleted = command({
  dryRun: true,
  brief: 'Delete a secret; its versions stay until they are destroyed',
  example: 'tandem secrets delete shop/db --reason "moved to @shared/db"',
  parameters: { flags: { reason }, positional: onePath },
  load: async () => (await import('./change.ts')).deleteSecret,
})

const undelete = command({
  dryRun: true,
  brief: 'Take back that a secret was deleted',
  example: 'tandem secrets undelete shop/db',
  parameters: { positional: onePath },
  load: async () => (await import('./change.ts')).undeleteSecret,
})

const destroy = command({
  dryRun: true,
  brief: 'Remove values for good: nobody can read them again',
  about: 'Without VERSIONS, all of them.',
  example: 'tandem secrets destroy shop/db 3 4 --reason "was on a screenshot"',
  parameters: {
    flags: { reason },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: known('secrets', word('PATH [VERSION]', 'Path of the secret; then versions, if not all')),
    },
  },
  load: async () => (await import('./change.ts')).destroySecret,
})

const grant = command({
  dryRun: true,
  brief: 'Let a service use a secret of another one, or of none',
  example: 'tandem secrets grant @shared/smtp shop',
  parameters: { positional: withService },
  load: async () => (await import('./change.ts')).grantSecret,
})

const revoke = command({
  dryRun: true,
  brief: 'Take a grant back',
  example: 'tandem secrets revoke @shared/smtp shop',
  parameters: { positional: withService },
  load: async () => (await import('./change.ts')).revokeSecret,
})

const holder = {
  kind: 'parsed',
  parse: String,
  placeholder: 'KEY',
  optional: true,
  variadic: true,
  brief: 'Public key of age of a person who gets a share; once for each',
} as const

const init = command({
  changes: true,
  brief: 'Make the first root key in shares, as `seal` in the cluster file says',
  about:
    'Prints a share for each holder, encrypted: only that person can read it, with the program age.\n' +
    'The key is used once enough holders have entered theirs: tandem secrets unseal. Without `seal`, the first secret makes the key.',
  example: 'tandem secrets init --holder age1ida… --holder age1tom… --holder age1eva…',
  parameters: { flags: { holder } },
  load: async () => (await import('./rootKey.ts')).initSecrets,
})

const rekey = command({
  changes: true,
  brief: 'Make a new root key, and wrap the keys of all values with it',
  about:
    'With `seal: { shares: … }` in the cluster file, as init: the new key is used once enough shares were entered.',
  example: 'tandem secrets rekey',
  parameters: { flags: { holder } },
  load: async () => (await import('./rootKey.ts')).rekeySecrets,
})

const unseal = command({
  changes: true,
  brief: 'Enter a share of the root key, after a start of the controller',
  about: 'Asks for it, without echo; from a pipe, reads it. Each holder does this once; wrong shares each say why.',
  example: 'tandem secrets unseal\nage --decrypt -i ida.txt ida.share | tandem secrets unseal',
  parameters: {},
  load: async () => (await import('./rootKey.ts')).unsealSecrets,
})

const seal = command({
  changes: true,
  brief: 'Make the controller forget a root key that is in shares',
  example: 'tandem secrets seal',
  parameters: {},
  load: async () => (await import('./rootKey.ts')).sealSecrets,
})

const backup = command({
  changes: true,
  brief: 'Write a backup that a recovery key opens: secrets, event log, authority of the cluster',
  about:
    'Encrypted on the controller to the public keys under `recovery` in the cluster file, in the format of age: also `age --decrypt` opens it.\n' +
    'It holds everything that a new controller needs, but for releases, which a push makes again.',
  example: 'tandem secrets backup production-2026-11-30.age',
  parameters: { positional: { kind: 'tuple', parameters: [word('FILE', 'A new file')] } },
  load: async () => (await import('./backup.ts')).backUp,
})

const restore = command({
  changes: true,
  brief: 'Make a controller from a backup, on a new disk or machine',
  about:
    'Run it as root on the machine of the controller, which should have the address of the former one. Services run on meanwhile.\n' +
    'Once all machines have reported, the controller takes a term that none of them has seen, and adopts what they run.\n' +
    'If the former controller may still run somewhere, end it there: systemctl disable --now tandem-controller.',
  example: 'tandem secrets restore production-2026-11-30.age --identity recovery.txt',
  parameters: {
    flags: {
      identity: needed('FILE', 'File of the secret key, as age-keygen wrote it'),
      data: { ...needed('DIR', 'Data folder of the controller; missing or empty'), default: controllerData },
      start: started,
    },
    positional: { kind: 'tuple', parameters: [word('FILE', 'The backup')] },
  },
  load: async () => (await import('./backup.ts')).restore,
})

export const secrets = buildRouteMap({
  docs: { brief: 'Store passwords and keys, sealed on the controller' },
  routes: {
    put,
    get,
    edit,
    list,
    versions,
    who,
    status,
    import: imported,
    rollback,
    delete: deleted,
    undelete,
    destroy,
    grant,
    revoke,
    init,
    unseal,
    seal,
    rekey,
    backup,
    restore,
  },
})
