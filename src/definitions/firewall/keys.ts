import { jailPatterns } from '../jailPatterns.ts'
import { group, nested, omitted, optional } from '../shapes/group.ts'
import { distinct, list } from '../shapes/list.ts'
import { choice, text } from '../shapes/text.ts'

export const firewallModes = ['observe', 'enforce'] as const
const mostUsers = 100

export const firewallKeys = {
  firewall: omitted(
    nested(
      group('`firewall`', {
        mode: omitted(
          optional(
            choice([...firewallModes]),
            '`enforce`: the kernel refuses connections to services that no `uses` names. `observe`: it only counts them. Left out: as before; a new cluster enforces.',
          ),
        ),
        users: omitted(
          optional(
            distinct(
              list(text({ expects: 'a user of the machines', pattern: jailPatterns.user }), {
                what: 'users',
                least: 1,
                most: mostUsers,
              }),
            ),
            'Users of the machines that may connect to every local route, such as that of a monitoring agent.',
            ['user', 'allow'],
          ),
        ),
      }),
      'Who may connect to services on a machine, held by its kernel.',
    ),
  ),
}
