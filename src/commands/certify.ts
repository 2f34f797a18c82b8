import { certifyNetwork, type NetworkCertificate } from '../experiments/certify-network';
import { openIntegerModel } from '../experiments/open-model';
import { adcBitsText } from '../quantization/adc-bits';
import { toText } from '../reports/to-text';
import { type Command, wholeNumber } from './command';

export const certifyCommand: Command = {
  name: 'certify',
  usage: 'OUT.safetensors [--rows R]',
  summary:
    'Recounts the ones of every bit column from the stored codes alone: the ADC bits each layer needs, and whether the\nlimits the network was pruned for hold. Exit status 1 where they do not.',
  options: { rows: { value: 'R', help: 'rows summed in one conversion (default: what it was pruned for)' } },
  words: [1, 1],
  async run([path], options) {
    const { name, network } = openIntegerModel(path);
    const certificate = certifyNetwork(network, wholeNumber(options, 'rows', 1, 65535));
    const table = toText({
      title: `${name}: R = ${certificate.tileRows}, ${network.weightBits}-bit weights, ${certificate.encoding}`,
      columns: [
        { key: 'name', label: 'layer' },
        { key: 'rows', label: 'rows' },
        { key: 'columns', label: 'channels' },
        { key: 'kept', label: 'kept', unit: '%', digits: 1 },
        { key: 'maxOnes', label: 'most ones' },
        { key: 'requiredAdcBits', label: 'ADC bits' },
        { key: 'holds', label: 'limits hold' },
      ],
      rows: certificate.layers.map((layer) => ({
        name: layer.name,
        rows: layer.rows,
        columns: layer.columns,
        kept: (100 * layer.nonzeros) / (layer.rows * layer.columns),
        maxOnes: layer.maxOnes,
        requiredAdcBits: layer.requiredAdcBits,
        holds: !certificate.limited ? '-' : layer.holds ? 'yes' : `no (${layer.offences})`,
      })),
    });
    return {
      data: certificate,
      text: `${table}\n${verdictOf(certificate, network.pruning?.tileRows)}`,
      exitCode: certificate.lossless ? 0 : 1,
    };
  },
};

/** @param limitedRows R that limits were kept for; undefined: the network was not pruned */
function verdictOf(certificate: NetworkCertificate, limitedRows: number | undefined): string {
  const { limited, lossless, requiredAdcBits, tileRows, adcBits } = certificate;
  if (!limited) {
    const why = limitedRows === undefined ? 'not pruned' : `limits were kept for R = ${limitedRows}`;
    return `needs ADCs of ${requiredAdcBits} bits at R = ${tileRows} (${why})`;
  }
  const promise = adcBits === undefined ? '' : ` (pruned for ${adcBitsText(adcBits)} bits)`;
  return `${lossless ? 'lossless' : 'NOT lossless'} with ADCs of ${requiredAdcBits} bits${promise}`;
}
