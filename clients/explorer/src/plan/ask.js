// Asks the gateway how it answers an operation. The header X-Explain counts in
// development mode only.

/**
 * ask sends the operation. With run it is run and timed; without, only planned.
 * It gives {errors} for what was refused, else {plan, choices, timings, answer}.
 */
export async function ask({ query, variables, headers, client, run }) {
  const body = { query };
  try {
    body.variables = variables.trim() ? JSON.parse(variables) : undefined;
    headers = headers.trim() ? JSON.parse(headers) : {};
  } catch (error) {
    return { errors: [`变量或请求头不是 JSON：${error.message}`] };
  }
  let answer;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        'X-Client-Id': client,
        'X-Explain': run ? 'plan, choices, timings' : 'plan, choices, only',
        ...headers,
      },
      body: JSON.stringify(body),
    });
    answer = await response.json();
  } catch (error) {
    return { errors: [`网关没有应答：${error.message}`] };
  }
  const { extensions, ...rest } = answer;
  if (!extensions?.plan) {
    return { errors: rest.errors?.map(({ message }) => message) ?? ['应答中没有计划：网关不在开发模式'] };
  }
  return { ...extensions, answer: run ? rest : undefined };
}
