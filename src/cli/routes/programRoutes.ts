import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parsePortRange, parsePosition } from '../flagValues.ts'
import { needed, on, port, size, text, word } from './parameters.ts'

const controllerData = '/var/lib/tandem-controller'
const agentData = '/var/lib/tandem'
const started = {
  kind: 'boolean',
  default: true,
  brief: 'Install and start the systemd unit (--no-start: only make what it needs)',
} as const

const token = buildRouteMap({
  docs: { brief: 'Manage who may call the controller' },
  routes: {
    create: command({
      brief: 'Make a token; it is shown once',
      example:
        'tandem controller token create --role operator --name ci\n' +
        'tandem controller token create --role agent --machine a --name a',
      parameters: {
        flags: {
          role: { kind: 'enum', values: ['operator', 'reader', 'agent'], brief: 'What it may do' },
          name: needed('NAME', 'Whose it is'),
          machine: text('M', "For an agent's: the machine it speaks for"),
        },
      },
      load: async () => (await import('../commands/controller.ts')).createToken,
    }),
    list: command({
      brief: 'Show the tokens there are, without their secrets',
      example: 'tandem controller token list',
      parameters: {},
      load: async () => (await import('../commands/controller.ts')).listTokens,
    }),
    revoke: command({
      brief: 'Make a token worthless',
      example: 'tandem controller token revoke 1f0c22ab94de',
      parameters: { positional: { kind: 'tuple', parameters: [word('ID', 'A token, or a prefix of its id')] } },
      load: async () => (await import('../commands/controller.ts')).revokeToken,
    }),
  },
})

export const controller = buildRouteMap({
  docs: { brief: 'Run a controller by hand; its tokens; recovery' },
  routes: {
    init: command({
      brief: 'Found a cluster: its authority, its controller, a token and a context for you',
      about:
        'Started as tandem-controller.service where systemd runs and you are root. Put it on a machine that serves nothing.',
      example: 'tandem controller init --cluster production --address 10.0.0.10',
      parameters: {
        flags: {
          cluster: needed('NAME', 'The name of the cluster'),
          address: needed('ADDRESS', 'How machines and people reach this controller'),
          data: {
            ...needed('DIR', 'Where the event log, the releases and the authority are kept'),
            default: controllerData,
          },
          port: port('The port to listen on', '7480'),
          start: started,
        },
      },
      load: async () => (await import('../commands/founding.ts')).initController,
    }),
    run: command({
      brief: 'Run a controller, in the foreground',
      example: 'tandem controller run --cluster production --data /var/lib/tandem --host 10.0.0.10',
      parameters: {
        flags: {
          cluster: { ...needed('NAME', 'The name of the cluster'), default: 'local' },
          laptop: on('All machines are on this host: each service also answers on SERVICE.localhost'),
          data: needed('DIR', 'Where the event log and the releases are kept'),
          host: { ...needed('ADDRESS', 'The address to listen on'), default: '127.0.0.1' },
          port: port('The port to listen on', '7480'),
          storeCap: size('The most that releases may take, such as 20G'),
          admitFile: text('FILE', 'JSON (mode 0600): tokens made elsewhere that are to be known'),
        },
      },
      load: async () => (await import('../commands/programs.ts')).runController,
    }),
    token,
    sign: command({
      brief: "Renew a machine's certificate by hand, while no controller runs",
      about: 'The second of three steps; tandem agent certificate request is the first. Needs the authority in --data.',
      example: 'tandem controller sign a.request --machine a --address 10.0.0.11 > a.certificate',
      parameters: {
        flags: {
          machine: needed('NAME', 'The machine'),
          address: needed('ADDRESS', 'How the others reach it'),
          data: { ...needed('DIR', "The controller's data folder, or a copy of it"), default: controllerData },
        },
        positional: { kind: 'tuple', parameters: [word('FILE', 'The request')] },
      },
      load: async () => (await import('../commands/certificates.ts')).signCertificate,
    }),
    recover: command({
      brief: 'Go on after the event log was lost or restored: adopt what machines run',
      about: 'Takes a term above every one that machines have seen. No service is changed.',
      example: 'tandem controller recover',
      parameters: {},
      load: async () => (await import('../commands/controller.ts')).recover,
    }),
  },
})

const certificate = buildRouteMap({
  docs: { brief: "Renew this machine's certificate by hand, while no controller runs" },
  routes: {
    request: command({
      brief: 'Print the request that tandem controller sign takes',
      example: 'tandem agent certificate request > a.request',
      parameters: { flags: { data: { ...needed('DIR', "The agent's data folder"), default: agentData } } },
      load: async () => (await import('../commands/certificates.ts')).requestCertificate,
    }),
    install: command({
      brief: 'Take what tandem controller sign printed',
      example: 'tandem agent certificate install a.certificate',
      parameters: {
        flags: { data: { ...needed('DIR', "The agent's data folder"), default: agentData } },
        positional: { kind: 'tuple', parameters: [word('FILE', 'The certificate')] },
      },
      load: async () => (await import('../commands/certificates.ts')).installCertificate,
    }),
  },
})

export const agent = buildRouteMap({
  docs: { brief: 'Make a machine join; run its agent by hand' },
  routes: {
    join: command({
      brief: 'Make this machine join a cluster: `tandem machine add NAME` prints the whole command',
      about:
        'The key is made here and never travels. Where systemd runs and you are root, the agent is started as tandem-agent.service:\n' +
        'as the user tandem, beside a small root part. Nothing it needs may be below /root or /home.',
      example: 'tandem agent join 10.0.0.10:7480 --token tdj_… --pin 3f9c…',
      parameters: {
        flags: {
          token: needed('TOKEN', 'The join token'),
          pin: needed('SHA256', "The fingerprint of the cluster's authority"),
          data: { ...needed('DIR', 'Where releases, keys and what it last ran are kept'), default: agentData },
          start: started,
        },
        positional: { kind: 'tuple', parameters: [word('CONTROLLER', 'Its address and port')] },
      },
      load: async () => (await import('../commands/founding.ts')).joinAgent,
    }),
    certificate,
    leave: command({
      brief: 'Take Tandem off this machine; its services, HAProxy and keepalived go on without it',
      about:
        'docs/leaving.md says how to live without it. With --purge all that Tandem made is removed, services included; what you\n' +
        'put below /etc/tandem stays. Run again, it finishes what was cut off.',
      example: 'tandem agent leave\ntandem agent leave --purge --keep-data',
      parameters: {
        flags: {
          data: { ...needed('DIR', "The agent's data folder"), default: agentData },
          purge: on('Stop and remove what runs, too'),
          keepData: on("With --purge: leave the services' data where it is"),
          removeData: on("With --purge: remove the services' data, too"),
        },
      },
      load: async () => (await import('../commands/leaving.ts')).leaveMachine,
    }),
    guard: command({
      brief: "Watch over this machine's virtual addresses, in the foreground",
      about:
        'The agent installs it as tandem-guard.service where cluster.yaml names addresses. It takes them off a machine that does not serve.',
      example: 'tandem agent guard --data /var/lib/tandem',
      parameters: { flags: { data: { ...needed('DIR', "The agent's data folder"), default: agentData } } },
      load: async () => (await import('../commands/programs.ts')).runGuard,
    }),
    privileged: command({
      brief: 'Do what needs root for an agent that is not root, in the foreground',
      about:
        'systemd runs it as tandem-privileged.service when the agent connects to its socket. It ends by itself after half a minute without work.',
      example: 'tandem agent privileged --data /var/lib/tandem',
      parameters: { flags: { data: { ...needed('DIR', "The agent's data folder"), default: agentData } } },
      load: async () => (await import('../commands/programs.ts')).runPrivileged,
    }),
    run: command({
      brief: "Run a machine's agent, in the foreground",
      about: 'On a machine that has joined only --data is needed: the rest comes from the cluster file.',
      example:
        'tandem agent run --machine a --controller http://10.0.0.10:7480 --token-file /etc/tandem/token ' +
        '--data /var/lib/tandem-agent --host 10.0.0.11 --http-port 80',
      parameters: {
        flags: {
          machine: text('NAME', 'The name of this machine'),
          controller: text('URL', "The controller's address"),
          tokenFile: text('FILE', 'A file that holds its token'),
          data: { ...needed('DIR', 'Where releases, output and what it last ran are kept'), default: agentData },
          host: { ...needed('ADDRESS', 'How others reach this machine'), default: '127.0.0.1' },
          httpPort: port('Where people reach the services', '8001'),
          forwardPort: port('Where other machines forward to; 0: it chooses and remembers', '0'),
          metricsPort: port('/healthz and /metrics; 0: it chooses and remembers', '0'),
          ports: {
            ...{ kind: 'parsed', parse: parsePortRange, placeholder: 'FIRST-LAST', default: '20000-20999' },
            brief: 'For instances: outside the ephemeral range',
          },
          tcpOffset: {
            ...{ kind: 'parsed', parse: parsePosition, placeholder: 'N', default: '0' },
            brief: 'Added to the ports of tcp routes, where machines share an address',
          },
          secrets: { ...needed('DIR', 'Holds SERVICE.env files'), default: '/etc/tandem/env' },
          cacheCap: size('The most that releases may take here, such as 20G'),
        },
      },
      load: async () => (await import('../commands/programs.ts')).runAgent,
    }),
  },
})
