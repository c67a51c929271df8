// Gradient centralization: takes the mean of each output's weights from a gradient.
import { type ParameterDict, checkDict } from "../memory/parameters.js";

/**
 * Subtracts from the gradient of each output's weights, a row of a tensor [out, …], their mean. Call it before the step. Tensors
 * of fewer than two dimensions stay as they are. A NaN or an infinite element makes its row NaN.
 *
 * @param params The parameters whose gradients to centralize: a dictionary or a subset.
 * @see Yong et al. (2020), https://arxiv.org/abs/2004.01461
 * @throws TypeError for a wrong argument; nothing is changed then.
 * @example
 * centralizeGradients(params);
 * optimizer.step();
 */
export function centralizeGradients(params: ParameterDict): void {
  const owner = "centralizeGradients";
  checkDict(owner, "params", params);
  const { kernels } = params.arena;
  for (const { shape, size, gradAt } of params.tensors(owner))
    if (shape.length > 1 && size > 0) kernels.centralize(shape[0], size / shape[0], gradAt);
}
