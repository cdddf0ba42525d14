"""What a server loads: greenserve --workers 4 app:app"""

from board import create_app

app = create_app()
