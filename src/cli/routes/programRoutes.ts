import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { featureAgentCommands } from '../features.ts'
import { parsePortRange, parsePosition } from '../flagValues.ts'
import { needed, on, port, size, started, text, word } from './parameters.ts'
import { agentData, controllerData, secretsFolder } from '../../layout/folders.ts'

const gone = {
  kind: 'parsed',
  parse: String,
  placeholder: 'MACHINE',
  optional: true,
  variadic: true,
  brief: 'A machine that is gone for good; once for each',
} as const

const token = buildRouteMap({
  docs: { brief: 'Manage the tokens that give access to the controller' },
  routes: {
    create: command({
      changes: true,
      brief: 'Create a token and print it; it cannot be shown again',
      example:
        'tandem controller token create --role operator --name ci\n' +
        'tandem controller token create --role agent --machine a --name a',
      parameters: {
        flags: {
          role: { kind: 'enum', values: ['operator', 'reader', 'agent'], brief: 'Permissions of the token' },
          name: needed('NAME', 'Name of the person or program that uses the token'),
          machine: text('M', 'Only for role agent: the machine whose agent uses the token'),
        },
      },
      load: async () => (await import('../commands/controller.ts')).createToken,
    }),
    list: command({
      brief: 'List the tokens, without their secrets',
      example: 'tandem controller token list',
      parameters: {},
      load: async () => (await import('../commands/controller.ts')).listTokens,
    }),
    revoke: command({
      changes: true,
      brief: 'Revoke a token',
      example: 'tandem controller token revoke 1f0c22ab94de',
      parameters: { positional: { kind: 'tuple', parameters: [word('ID', 'Id of a token, or a prefix of it')] } },
      load: async () => (await import('../commands/controller.ts')).revokeToken,
    }),
  },
})

export const controller = buildRouteMap({
  docs: { brief: 'Found a cluster, run its controller, manage tokens, recover' },
  routes: {
    init: command({
      changes: true,
      brief: 'Found a cluster: create its authority, its controller, and a token and a context for you',
      about:
        'If systemd runs and you are root, starts the controller as tandem-controller.service, as the user tandem_controller. Use a machine that runs no services.',
      example: 'tandem controller init --cluster production --address 10.0.0.10',
      parameters: {
        flags: {
          cluster: needed('NAME', 'Name of the cluster'),
          address: needed('ADDRESS', 'Address at which machines and people reach this controller'),
          data: {
            ...needed('DIR', 'Data folder: event log, releases and authority'),
            default: controllerData,
          },
          port: port('Port to listen on', '7480'),
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
          cluster: { ...needed('NAME', 'Name of the cluster'), default: 'local' },
          laptop: on('All machines are on this host; each service also answers on SERVICE.localhost'),
          data: needed('DIR', 'Data folder: event log and releases'),
          host: { ...needed('ADDRESS', 'Address to listen on'), default: '127.0.0.1' },
          port: port('Port to listen on', '7480'),
          storeCap: size('Maximum size of all releases, such as 20G'),
          admitFile: text('FILE', 'JSON file (mode 0600) of tokens created elsewhere that the controller accepts'),
        },
      },
      load: async () => (await import('../commands/programs.ts')).runController,
    }),
    privileged: command({
      brief: 'Run the privileged helper of a controller that is not root, in the foreground',
      about:
        'systemd starts it as tandem-controller-privileged.service during an upgrade. It exits after half a minute without work.',
      example: 'tandem controller privileged --data /var/lib/tandem-controller',
      parameters: { flags: { data: { ...needed('DIR', 'Data folder of the controller'), default: controllerData } } },
      load: async () => (await import('../commands/programs.ts')).runControllerHelper,
    }),
    token,
    sign: command({
      brief: "Renew a machine's certificate by hand, while no controller runs",
      about:
        'The second of three steps: request (on the machine), sign (here), install (on the machine). Needs the authority in --data.',
      example: 'tandem controller sign a.request --machine a --address 10.0.0.11 > a.certificate',
      parameters: {
        flags: {
          machine: needed('NAME', 'Name of the machine'),
          address: needed('ADDRESS', 'Address at which other machines reach this machine'),
          data: { ...needed('DIR', 'Data folder of the controller, or a copy of it'), default: controllerData },
        },
        positional: { kind: 'tuple', parameters: [word('FILE', 'File that holds the request')] },
      },
      load: async () => (await import('../commands/certificates.ts')).signCertificate,
    }),
    recover: command({
      dryRun: true,
      brief: 'Recover after the event log was lost or restored: adopt the services that the machines run',
      about:
        'Sets the term above every term that a machine has seen. Changes no service. After `tandem secrets restore`, the controller does this by itself.\n' +
        'Every machine in the log must have reported; --without gives up one that is gone for good. If it returns, it stops what the log does not know.',
      example: 'tandem controller recover\ntandem controller recover --without b',
      parameters: { flags: { without: gone } },
      load: async () => (await import('../commands/controller.ts')).recover,
    }),
  },
})

const certificate = buildRouteMap({
  docs: { brief: "Renew this machine's certificate by hand, while no controller runs" },
  routes: {
    request: command({
      brief: 'Print a certificate request for tandem controller sign',
      example: 'tandem agent certificate request > a.request',
      parameters: { flags: { data: { ...needed('DIR', 'Data folder of the agent'), default: agentData } } },
      load: async () => (await import('../commands/certificates.ts')).requestCertificate,
    }),
    install: command({
      changes: true,
      brief: 'Install the certificate that tandem controller sign printed',
      example: 'tandem agent certificate install a.certificate',
      parameters: {
        flags: { data: { ...needed('DIR', 'Data folder of the agent'), default: agentData } },
        positional: { kind: 'tuple', parameters: [word('FILE', 'File that holds the certificate')] },
      },
      load: async () => (await import('../commands/certificates.ts')).installCertificate,
    }),
  },
})

export const agent = buildRouteMap({
  docs: { brief: 'Join a cluster, leave it, run the agent of this machine' },
  routes: {
    join: command({
      changes: true,
      brief: 'Make this machine join a cluster; `tandem machine add NAME` prints the whole command',
      about:
        'Creates the private key here; the key never leaves this machine. If systemd runs and you are root, starts tandem-agent.service:\n' +
        'the agent runs as the user tandem, with a small privileged helper. Nothing the agent needs may be below /root or /home.',
      example: 'tandem agent join 10.0.0.10:7480 --token tdj_… --pin 3f9c…',
      parameters: {
        flags: {
          token: needed('TOKEN', 'Join token'),
          pin: needed('SHA256', "Fingerprint of the cluster's authority"),
          data: { ...needed('DIR', 'Data folder: releases, keys and the last desired state'), default: agentData },
          start: started,
        },
        positional: { kind: 'tuple', parameters: [word('CONTROLLER', 'Address and port of the controller')] },
      },
      load: async () => (await import('../commands/founding.ts')).joinAgent,
    }),
    certificate,
    leave: command({
      changes: true,
      brief: 'Remove Tandem from this machine; its services, HAProxy and keepalived continue to run',
      about:
        'docs/leaving.md explains how to run the services without Tandem. With --purge, removes everything that Tandem created,\n' +
        'services included, and keeps your own files below /etc/tandem. If it was interrupted, run it again to finish.',
      example: 'tandem agent leave\ntandem agent leave --purge --keep-data',
      parameters: {
        flags: {
          data: { ...needed('DIR', 'Data folder of the agent'), default: agentData },
          purge: on('Also stop and remove the services'),
          keepData: on("With --purge: keep the services' data"),
          removeData: on("With --purge: also remove the services' data"),
        },
      },
      load: async () => (await import('../commands/leaving.ts')).leaveMachine,
    }),
    ...featureAgentCommands,
    privileged: command({
      brief: 'Run the privileged helper of an agent that is not root, in the foreground',
      about:
        'systemd starts it as tandem-privileged.service when the agent connects to its socket. It exits after half a minute without work.',
      example: 'tandem agent privileged --data /var/lib/tandem',
      parameters: { flags: { data: { ...needed('DIR', 'Data folder of the agent'), default: agentData } } },
      load: async () => (await import('../commands/programs.ts')).runPrivileged,
    }),
    run: command({
      brief: 'Run the agent of this machine, in the foreground',
      about: 'On a machine that has joined, only --data is needed: the cluster file sets the rest.',
      example:
        'tandem agent run --machine a --controller http://10.0.0.10:7480 --token-file /etc/tandem/token ' +
        '--data /var/lib/tandem-agent --host 10.0.0.11 --http-port 80',
      parameters: {
        flags: {
          machine: text('NAME', 'Name of this machine'),
          controller: text('URL', 'Address of the controller'),
          tokenFile: text('FILE', "File that holds the agent's token"),
          data: { ...needed('DIR', 'Data folder: releases, output and the last desired state'), default: agentData },
          host: { ...needed('ADDRESS', 'Address at which other machines reach this machine'), default: '127.0.0.1' },
          httpPort: port('Port of the services for requests from outside', '8001'),
          forwardPort: port('Port to which other machines forward; 0: choose a port and keep it', '0'),
          metricsPort: port('Port of /healthz and /metrics; 0: choose a port and keep it', '0'),
          ports: {
            ...{ kind: 'parsed', parse: parsePortRange, placeholder: 'FIRST-LAST', default: '20000-20999' },
            brief: 'Ports for instances; outside the ephemeral range',
          },
          tcpOffset: {
            ...{ kind: 'parsed', parse: parsePosition, placeholder: 'N', default: '0' },
            brief: 'Number added to the ports of tcp routes, for machines that share an address',
          },
          secrets: { ...needed('DIR', 'Folder of the SERVICE.env files'), default: secretsFolder },
          cacheCap: size('Maximum size of all releases on this machine, such as 20G'),
        },
      },
      load: async () => (await import('../commands/programs.ts')).runAgent,
    }),
  },
})
