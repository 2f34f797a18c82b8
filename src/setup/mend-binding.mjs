/** The case of a list, its length known. @param {string} body */
const listCase = (body) => `
    if (IsArray(env, nstatus, &js_value)) {
      uint32_t length;
      nstatus = napi_get_array_length(env, js_value, &length);
      ENSURE_NAPI_OK(env, nstatus);${body}
      break;
    }
`;

/**
 * tfjs-node 4.22 gives kernels lists of numbers, but no lists of strings or of types, which oneDNN's fused convolution
 * wants. Each mend adds the case of a list before what stands there, in the file that is compiled; the package stays as it is.
 */
export const BINDING_MENDS = [
  {
    at: 'case TF_ATTR_STRING: {',
    list: listCase(`
      std::vector<std::string> texts(length);
      std::vector<const void *> starts(length);
      std::vector<size_t> lengths(length);
      for (uint32_t i = 0; i < length; ++i) {
        napi_value element;
        nstatus = napi_get_element(env, js_value, i, &element);
        ENSURE_NAPI_OK(env, nstatus);
        nstatus = GetStringParam(env, element, texts[i]);
        ENSURE_NAPI_OK(env, nstatus);
        starts[i] = texts[i].data();
        lengths[i] = texts[i].size();
      }
      TFE_OpSetAttrStringList(tfe_op, attr_name, starts.data(), lengths.data(), length);`),
  },
  {
    at: 'case TF_ATTR_TYPE: {',
    list: listCase(`
      std::vector<TF_DataType> types(length);
      for (uint32_t i = 0; i < length; ++i) {
        napi_value element;
        int32_t value;
        nstatus = napi_get_element(env, js_value, i, &element);
        ENSURE_NAPI_OK(env, nstatus);
        nstatus = napi_get_value_int32(env, element, &value);
        ENSURE_NAPI_OK(env, nstatus);
        types[i] = static_cast<TF_DataType>(value);
      }
      TFE_OpSetAttrTypeList(tfe_op, attr_name, types.data(), length);`),
  },
];

/** The file of the binding's code that sets attributes. */
export const MENDED_FILE = 'tfjs_backend.cc';

/**
 * @param {string} code of MENDED_FILE
 * @returns {string}
 * @throws {Error} where the code is not what the mends were written for
 */
export function mendBinding(code) {
  return BINDING_MENDS.reduce((mended, { at, list }) => {
    const parts = mended.split(at);
    if (parts.length !== 2) throw new Error(`${MENDED_FILE}: "${at}" ${parts.length - 1} times, not once`);
    return parts.join(at + list);
  }, code);
}
