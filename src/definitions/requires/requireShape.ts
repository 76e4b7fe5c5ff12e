import { limitsOf, mostEntries } from '../bounds.ts'
import { allOmitted, as, group, optional } from '../shapes/group.ts'
import { distinct, list } from '../shapes/list.ts'
import { size } from '../shapes/size.ts'
import { choice, text } from '../shapes/text.ts'
import { packagePattern, requiredPackage } from './requiredPackage.ts'

/** As Debian, Go and Docker name them. */
export const architectures = ['amd64', 'arm64'] as const

const command = text({
  expects: 'the name of a program, such as psql, or its absolute path',
  pattern: /^(?:[A-Za-z0-9][A-Za-z0-9._+-]{0,99}|(?:\/[A-Za-z0-9._+-]{1,100}){1,20})$/,
})
const debianPackage = text({
  expects: 'a Debian package, such as postgresql-15 or postgresql-15>=15.4',
  pattern: packagePattern,
  check: (written) => requiredPackage(written).text,
})

/** The conditions under which a machine may run the release: checked before a rollout begins. */
export const requireShape = group(
  '`requires`',
  allOmitted({
    commands: optional(
      distinct(list(command, { what: 'programs', least: 1, most: mostEntries })),
      'Programs that are installed on the machine, by name (on the PATH of an instance) or absolute path.',
      ['command', 'programs', 'binaries', 'bin'],
    ),
    packages: optional(
      distinct(list(debianPackage, { what: 'packages', least: 1, most: mostEntries })),
      'Debian packages that are installed on the machine, also with a version: `postgresql-15>=15.4`.',
      ['package', 'apt', 'debs', 'dpkg'],
    ),
    memory: as(
      'memoryBytes',
      optional(size(limitsOf.memoryLeast), 'Memory that is left on a machine that does not run the service yet.', [
        'mem',
        'ram',
      ]),
    ),
    disk: as(
      'diskBytes',
      optional(
        size(1024 * 1024),
        'Disk space that is left, where data folders are, on a machine that does not run the service yet.',
        ['storage', 'space'],
      ),
    ),
    architecture: optional(choice(architectures), 'Processor of the machine.', ['arch', 'platform', 'cpu']),
  }),
)
