// What the documentation shows first: the headers, the library and an error that crosses their border.
#include <effdet/effdet.h>

#include <iostream>

int main() {
  std::cout << effdet::model_names().size() << " models\n";
  try {
    effdet::CompiledModel::load("no_such_file.om");
  } catch (const effdet::Error& error) {
    std::cout << "error " << static_cast<int>(error.code()) << ": " << error.what() << "\n";
    return error.code() == effdet::ErrorCode::kIo ? 0 : 1;
  }
  return 1;
}
