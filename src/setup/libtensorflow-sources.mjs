/**
 * Where libtensorflow 2.18 comes from, a platform at a time. 2.18 because its kernels are a good deal faster than those of
 * 2.9.1, which tfjs-node itself asks for; the C API that tfjs-node's binding uses is the same.
 *
 * The official archives' checksums are those that Bazel and Nix recipes in public use pin. Linux on x86-64 is what was tried; the
 * others follow the same layout and were not.
 */

/** TensorFlow's official host. TFJS_NODE_CDN_STORAGE names a mirror of it, as for tfjs-node's own installer. */
export const OFFICIAL_HOST = 'https://storage.googleapis.com/';

/** Folder under `.setup/`. */
export const LIBTENSORFLOW = 'libtensorflow-2.18';

/**
 * @typedef {object} Source
 * @property {{version: string, path: string, sha256: string, bytes: number} | null} official archive under the official host
 * @property {{name: string, version: string, platform: string, bytes: number, sha256: readonly string[]}} wheel on the Python package index; a hash for each of its builds
 * @property {'so' | 'dylib'} suffix of libraries
 */

const TENSORFLOW_WHEELS = [
  '0f84a4c87a30cfb279c30b0077541cb5aaac7506d32adde585adb185277e49d2',
  '1ba52b9c06ab8102b31e50acfaf56899b923171e603c8942f2bfeb181d6bb59e',
  '1c0cd29c323908ed35ce72fbcce66f2ef7c8657f9c5024860ffd7ea64cf5d35d',
  '1f929842999d60e7da67743ae5204b477259f3b771c02e5e437d232267e49f18',
  '210baf6d421f3e044b6e09efd04494a33b75334922fe6cf11970e2885172620a',
  '2dd7284768f5a6b10e41a700e8141de70756dc62ed5d0b93360d131ccc0a6ba8',
  '442d2a774811789a8ad948e7286cb950fe3d87d3754e8cc6449d53b03dbfdaa6',
  '4ecbb9b3cd3f223ff6861faa1a4c2719c138d870dba90545826685b1c5ba5901',
  '661029cd769b311db910b79a3a6ef50a5a61ecc947172228c777a49989722508',
  '8a6485edd2148f70d011dbd1d8dc2c775e91774a5a159466e83d0d1f21580944',
  '8baba2b0f9f286f8115a0005d17c020d2febf95e434302eaf758f2020c1c4de5',
  '98afa9c7f21481cdc6ccd09507a7878d533150fbb001840cc145e2132eb40942',
  '99223d0dde08aec4ceebb3bf0f80da7802e18462dab0d5048225925c064d2af7',
  'c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828',
  'db1d186c17b6a7c51813e275d0a83e964669822372aa01d074cf64b853ee76ac',
  'e0ffa318b969779baad01a11e7799dda9677ee33ccbbcdbf7b735c27f53d2a9b',
];

const TENSORFLOW_CPU_WHEELS = ['810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298'];

/** @type {Readonly<Record<string, Source>>} by `${process.platform}-${process.arch}` */
export const SOURCES = {
  'linux-x64': {
    official: {
      version: '2.18.0',
      path: 'tensorflow/versions/2.18.0/libtensorflow-cpu-linux-x86_64.tar.gz',
      sha256: '605bfcb370c7e7ec981eabada880f60784e3de018395be95c95c3e5592c3d9a2',
      bytes: 200e6,
    },
    wheel: {
      name: 'tensorflow-cpu',
      version: '2.18.1',
      platform: 'manylinux2014_x86_64',
      bytes: 230_236_181,
      sha256: TENSORFLOW_CPU_WHEELS,
    },
    suffix: 'so',
  },
  'linux-arm64': {
    official: null,
    wheel: {
      name: 'tensorflow',
      version: '2.18.1',
      platform: 'manylinux2014_aarch64',
      bytes: 231e6,
      sha256: TENSORFLOW_WHEELS,
    },
    suffix: 'so',
  },
  'darwin-arm64': {
    official: {
      version: '2.18.0',
      path: 'tensorflow/versions/2.18.0/libtensorflow-cpu-darwin-arm64.tar.gz',
      sha256: '462257d2792730dcb131fcf21bc826192ae5a2c418535f6347d051f10fc8be8a',
      bytes: 180e6,
    },
    wheel: {
      name: 'tensorflow',
      version: '2.18.1',
      platform: 'macosx_12_0_arm64',
      bytes: 239e6,
      sha256: TENSORFLOW_WHEELS,
    },
    suffix: 'dylib',
  },
};
