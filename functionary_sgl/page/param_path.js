/**
 * The steps of a path as the server has it in `param`: names and indices, and behind the first slash
 * a JSON pointer. `tools[0].function.parameters/properties/a` leads to tools, 0, function ...
 * @param {string} path
 * @returns {string[]}
 */
export function steps(path) {
  const slash = path.indexOf("/");
  const dotted = slash < 0 ? path : path.slice(0, slash);
  const pointer = slash < 0 ? [] : path.slice(slash + 1).split("/");
  return [
    ...dotted.split(/[.[\]]+/).filter(Boolean),
    ...pointer.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")),
  ];
}
