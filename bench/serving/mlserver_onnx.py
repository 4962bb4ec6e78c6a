"""A runtime for MLServer that runs an ONNX file with ONNX Runtime; bench/serving/peers starts it."""
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxModel(MLModel):
    async def load(self):
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload):
        inputs = {one.name: NumpyCodec.decode_input(one) for one in payload.inputs}
        names = [one.name for one in payload.outputs or []] or [one.name for one in self.session.get_outputs()]
        outputs = self.session.run(names, inputs)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(name, output)
                                                                for name, output in zip(names, outputs)])
